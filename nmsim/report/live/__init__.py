"""Pages that answer: charts to hover, zoom and filter, tables to sort; a picture takes their place on paper."""
