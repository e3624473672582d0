"""A part of labelled samples holds every class in its share, whatever the order of the file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmsim.datasets.split import stratified


def test_a_file_sorted_by_class_gives_all_its_classes():
    labels = np.repeat(np.arange(10), 100)
    chosen = stratified(labels, 20)
    assert np.bincount(labels[chosen], minlength=10).tolist() == [2] * 10


def test_where_classes_take_turns_the_first_samples_are_the_subset():
    labels = np.tile(np.arange(10), 50)
    assert stratified(labels, 200).tolist() == list(range(200))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.data())
def test_every_class_has_its_share_to_within_one_sample(labels, data):
    labels = np.array(labels)
    count = data.draw(st.integers(1, len(labels)))
    chosen = stratified(labels, count)
    assert len(chosen) == count
    assert (np.diff(chosen) > 0).all()
    for label in np.unique(labels):
        exact = count * (labels == label).sum() / len(labels)
        assert abs((labels[chosen] == label).sum() - exact) < 1


@pytest.mark.parametrize("count", [1, 3, 10])
def test_few_samples_come_from_different_classes(count):
    labels = np.repeat(np.arange(10), 7)
    assert len(np.unique(labels[stratified(labels, count)])) == count
