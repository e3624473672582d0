// Charts: every .live element holds a Vega-Lite specification; its picture stays for paper and for readers without scripts.
// Choices: a .choices element drives the charts and the tables of its section; "" stands for all.
"use strict";
const charts = new Map();

function choices(section) {
  return [...section.querySelectorAll(".choices select")].map(select => ({name: select.name, value: select.value}));
}

function apply(section) {
  const chosen = choices(section);
  for (const table of section.querySelectorAll("table[data-choose]")) {
    const names = table.dataset.choose.split("|");
    for (const row of table.tBodies[0].rows) {
      row.hidden = chosen.some(({name, value}) => {
        const column = names.indexOf(name);
        return column >= 0 && value !== "" && row.cells[column].textContent.trim() !== value;
      });
    }
  }
  for (const box of section.querySelectorAll(".live")) {
    const view = charts.get(box);
    if (!view) continue;
    for (const {name, value} of chosen) {
      try { view.signal("choose_" + name, value); } catch (error) { /* a chart that has no such choice */ }
    }
    view.runAsync();
  }
}

for (const form of document.querySelectorAll(".choices")) {
  form.addEventListener("change", () => apply(form.closest("section")));
}
for (const box of document.querySelectorAll(".live")) {
  const spec = JSON.parse(box.querySelector("script").textContent);
  vegaEmbed(box.querySelector(".chart"), spec, {
    ast: true, renderer: "svg", actions: {export: true, source: false, compiled: false, editor: false},
    downloadFileName: box.id, tooltip: {theme: "light"}, logLevel: vega.Error,
  }).then(({view}) => {
    charts.set(box, view);
    box.classList.add("ready");
    apply(box.closest("section"));
    document.documentElement.dataset.charts = charts.size;
  }, error => console.error(box.id, error));
}
