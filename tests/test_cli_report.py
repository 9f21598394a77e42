"""The page about a model: what is on it, and that it needs nothing and hides nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from helpers_tables import as_text, houses
from test_cli_tables import COLUMNS, N_ROWS, folder, run, trained

import fastmlp
from fastmlp.cli.judging.figures import judged
from fastmlp.cli.judging.importances import importances_of
from fastmlp.cli.wording import number

__all__ = ["folder"]

#: Elements that have no end.
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """A page's elements, and its texts without styles."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.ids, self.texts, self.links = [], Counter(), [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "action") and value:
                self.links.append(value)
            assert not name.startswith("on"), name

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def page_of(*words, name="report.html"):
    """Run a command that writes a page, and return its source and its elements."""
    result = run(*words, "--report", name, "--quiet", "--json")
    assert result.exit_code == 0, result.output
    with open(name, encoding="utf-8") as file:
        source = file.read()
    return json.loads(result.stdout), source, Page(source)


@pytest.mark.parametrize("target", ["price", "kind"])
def test_a_page_needs_nothing_and_runs_nothing(folder, target):
    _, source, page = page_of("train", "houses.csv", "--target", target)
    assert page.open == []
    assert not set(page.tags) & {"script", "iframe", "link", "img", "object", "embed", "form"}
    assert all(each.startswith("#") for each in page.links)
    addresses = set(re.findall(r"https?://[^\"\'<> ]*", source))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in source
    assert set(re.findall(r"url\((.)", source)) <= {"#"}
    assert len(page.ids) == len(set(page.ids))
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", source))
    assert used <= set(page.ids)


@pytest.mark.parametrize("target", ["price", "kind"])
def test_a_page_is_light_or_dark(folder, target):
    """No picture has a colour of its own: all are variables, of which dark has every one."""
    _, source, _ = page_of("train", "houses.csv", "--target", target)
    light, dark = re.findall(r":root \{(.*?)\}", source, re.DOTALL)
    names = [set(re.findall(r"(--[a-z0-9-]+):", each)) for each in (light, dark)]
    assert names[0] == names[1]
    assert set(re.findall(r"var\((--[a-z0-9]+)\)", source)) - {"--share"} <= names[0]
    pictures = re.findall(r"<svg.*?</svg>", source, re.DOTALL)
    assert len(pictures) == 6 - (target == "kind")
    for each in pictures:
        colors = set(re.findall(r"#[0-9a-fA-F]{6}\b", each))
        assert colors <= {"#000000"}, colors  # the clips of matplotlib, which nobody sees
        assert "viewBox" in each


def test_names_and_cells_of_the_user_are_texts(folder):
    odd = '<script>alert(1)</script> $x_1$ & "q"'
    values = ["<b>bold</b>" if i % 3 else "<i>" for i in range(N_ROWS)]
    kinds = ["</table><h1>" if each == "large" else "a&b" for each in COLUMNS["kind"]]
    quoted = '"' + odd.replace('"', '""') + '"'
    (folder / "t.csv").write_text(as_text(COLUMNS | {quoted: values, "kind": kinds}))
    _, source, page = page_of("train", "t.csv", "--target", "kind")
    assert "<script" not in source
    assert page.tags["h1"] == 1
    assert page.tags["b"] == 3  # the headlines
    assert odd in page.text
    assert "</table><h1>" in page.text


def test_the_page_says_what_json_says(folder):
    words = ("train", "houses.csv", "--target", "kind", "--category", "built", "--seed", 5)
    told, _, page = page_of(*words)
    for name, figure in told["figures"].items():
        assert f"{name} {number(figure['value'])}" in page.text
    for each in told["columns"]:
        assert f"{each['name']} {each['taken_for']}" in page.text
    for each in told["leaderboard"]:
        assert each["recipe"] in page.text
    for line in told["warnings"]:
        assert line in page.text
    for title in ("Calibration", "Certainty", "Columns that matter most", "True and predicted"):
        assert title in page.text
    assert "seed 5" in page.text


def test_an_evaluation_has_a_page_and_the_warnings_of_the_training(folder):
    (folder / "t.csv").write_text(as_text(COLUMNS | {"id": list(range(N_ROWS))}))
    trained(data="t.csv", target="price")
    words = ("evaluate", "model.fastmlp", "t.csv")
    told, _, page = page_of(*words)
    assert "column 'id' numbers the rows" in page.text
    assert "judged by 80 rows of t.csv" in page.text
    for title in ("Predicted and true", "Errors", "Calibration"):
        assert title in page.text
    assert told["report"] == "report.html"


def test_without_held_out_rows_the_page_says_that_nothing_is_known(folder):
    _, _, page = page_of("train", "houses.csv", "--target", "price", "--test-size", 0)
    assert "nothing is known about how good it is on new rows" in page.text


def test_many_classes_are_told_by_the_pairs_that_are_confused_most(folder):
    many = [f"class {i % 20}" for i in range(200)]
    (folder / "t.csv").write_text(as_text({**houses(200), "kind": many}))
    told, _, page = page_of("train", "t.csv", "--target", "kind")
    assert "Classes that are confused most" in page.text
    assert told["figures"]["accuracy"]["value"] < 0.5


# -- figures --------------------------------------------------------------------------------------


class Fixed:
    """A model whose predictions are given."""

    def __init__(self, prediction, classes=None):
        self.given = np.asarray(prediction, float)
        if classes is not None:
            self.classes_ = np.array(classes)

    def predict(self, X):
        return self.given

    def predict_proba(self, X):
        return self.given


def test_figures_of_numbers_by_hand():
    figures = judged(Fixed([1.0, 2.0, 6.0]), None, np.array([1.0, 4.0, 4.0])).figures
    assert figures["rmse"].value == pytest.approx((8 / 3) ** 0.5)
    assert figures["rmse"].constant == pytest.approx(2**0.5)
    assert figures["r2"].value == pytest.approx(1 - (8 / 3) / 2)
    assert (figures["mae"].value, figures["mae"].constant) == pytest.approx((4 / 3, 1))
    assert (figures["median_error"].value, figures["bias"].value) == pytest.approx((2, 0))
    assert figures["bias"].margin == pytest.approx(1.96 * (8 / 3) ** 0.5 / 3**0.5)


def test_figures_of_classes_by_hand():
    p = [[0.75, 0.25], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]
    found = judged(Fixed(p, ["a", "b"]), None, np.array(["a", "b", "a", "b"]))
    assert found.prediction.tolist() == ["a", "a", "a", "b"]
    figures = {name: each.value for name, each in found.figures.items()}
    assert figures["accuracy"] == 0.75
    assert figures["balanced_accuracy"] == 0.75
    assert figures["auc"] == pytest.approx(3.5 / 4 - 0.25)
    assert figures["log_loss"] == pytest.approx(-np.log([0.75, 0.25, 0.5, 0.75]).mean())
    assert figures["brier"] == pytest.approx(np.mean([0.125, 1.125, 0.5, 0.125]))
    assert found.figures["accuracy"].constant == 0.5
    assert found.figures["log_loss"].constant == pytest.approx(np.log(2))


def test_a_target_of_one_value_has_no_share_that_is_explained():
    figures = judged(Fixed([1.0, 2.0]), None, np.array([1.0, 1.0])).figures
    assert np.isnan(figures["r2"].value)
    assert figures["rmse"].value > 0


def test_a_column_that_is_not_looked_at_counts_nothing(folder):
    """Importance is the growth of the error; the same seed gives the same."""
    import pyarrow as pa

    columns = houses(300)
    y = np.array(columns["price"])
    X = pa.table({"area": columns["area"], "noise": [float(i % 7) for i in range(300)]})
    model = fastmlp.TabularRegressor(random_state=0).fit(X, y)
    model.predict = lambda X: 10 * np.nan_to_num(np.array(X.column("area"), float))
    found = importances_of(model, X, y, 0)
    assert found.measure == "RMSE"
    by_name = {each.column: each.increase for each in found.columns}
    assert by_name["noise"] == 0
    assert by_name["area"] > 100
    assert found == importances_of(model, X, y, 0)
