"""Names in JSON-LD: alone, in lists, in objects, in graphs, and in what is broken."""

from __future__ import annotations

import pytest

from articles.linked_data import linked_names


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ('{"author": "王一鸣"}', {"author": "王一鸣"}),
        ('{"author": {"@type": "Person", "url": "/a", "name": "王一鸣"}}', {"author": "王一鸣"}),
        ('{"author": [{"name": "王一鸣"}, {"name": "李昂"}]}', {"author": "王一鸣 李昂"}),
        ('{"creator": ["王一鸣"], "editor": "李昂"}', {"author": "王一鸣", "editor": "李昂"}),
        (
            '{"publisher": {"logo": {"@type": "ImageObject", "name": "x"}, "name": "某某早报"}}',
            {"publisher": "某某早报"},
        ),
        (
            r'{"@graph": [{"author": {"@id": "https:\/\/a.example\/#p"}},'
            r' {"@type": "Person", "@id": "https:\/\/a.example\/#p", "name": "\u738b\u4e00\u9e23"}]}',
            {"author": "王一鸣"},
        ),
        # A comma too many, and no end: what stands before it can be read.
        ('{"author": {"name": "王一鸣"},, "headline": "', {"author": "王一鸣"}),
        ('{"author": {"name": "王一鸣"', {}),
        ('{"author": {"name": "https://a.example/u/1"}, "publisher": {"@id": "#gone"}}', {}),
        ('{"author": ' + "[" * 100_000, {}),
        ('{"author": {"name": {"first": "一鸣"}}, "publisher": 7}', {}),
    ],
)
def test_names(script, names):
    assert linked_names([script]) == names


def test_the_first_script_that_names_somebody_counts():
    assert linked_names(['{"publisher": null}', '{"publisher": "某某网"}', '{"publisher": "另一网"}']) == {
        "publisher": "某某网"
    }
