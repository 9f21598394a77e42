"""Sources of rows: what they read, in what order, and what they say of what can't be read."""

from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from fastmlp.backends import Rows
from fastmlp.data import from_arrays, from_arrow, from_batches, from_parquet
from fastmlp.data.beside import beside
from fastmlp.data.source import Piece
from fastmlp.data.survey import Drawn, survey, survey_of_part
from fastmlp.data.turns import in_turns, spread_order
from fastmlp.training.mixing import mixed
from fastmlp.training.windows import windows_of

N = 1000
RNG = np.random.default_rng(0)
TABLE = pa.table(
    {
        "size": np.arange(N, dtype=np.float64),
        "colour": pa.array(RNG.choice(["red", "green"], N)).dictionary_encode(),
        "price": np.arange(N) * 2.0,
        "weight": RNG.integers(0, 3, N).astype(float),
    }
)


@pytest.fixture
def files(tmp_path):
    for part in range(2):
        path = tmp_path / f"part-{part}.parquet"
        pq.write_table(TABLE.slice(500 * part, 500), path, row_group_size=200)
    return tmp_path


def whole(source, n_rows=64):
    pieces = list(source.pieces(n_rows))
    assert max(map(len, pieces)) <= n_rows
    return pieces


def sizes_of(pieces):
    return np.concatenate([piece.X["size"].to_numpy() for piece in pieces])


@pytest.mark.parametrize("paths", ["folder", "pattern", "list", "one file"])
def test_files_are_named_in_every_way(files, paths):
    given = {
        "folder": files,
        "pattern": str(files / "part-*.parquet"),
        "list": sorted(files.glob("*.parquet")),
        "one file": files / "part-0.parquet",
    }[paths]
    pieces = whole(from_parquet(given, target="price"))
    n = 500 if paths == "one file" else N
    assert_array_equal(sizes_of(pieces), np.arange(n))
    assert_array_equal(np.concatenate([piece.y for piece in pieces]), 2.0 * np.arange(n))


def test_a_part_is_a_row_group(files):
    source = from_parquet(files, target="price")
    assert source.n_parts == 6
    [piece] = source.read(4, 500)
    assert piece.place.endswith("part-1.parquet, row group 1")
    assert_array_equal(piece.X["size"], np.arange(700, 900))


def test_columns_weights_and_filters(files):
    source = from_parquet(
        files,
        target=["price", "size"],
        columns=["colour"],
        weight="weight",
        filter=ds.field("weight") > 1,
    )
    pieces = whole(source)
    assert pieces[0].X.column_names == ["colour"]
    assert pieces[0].y.shape[1] == 2
    weights = np.concatenate([piece.weights for piece in pieces])
    assert_array_equal(weights, np.full((TABLE["weight"].to_numpy() > 1).sum(), 2.0))


@pytest.mark.parametrize("kind", ["table", "dataset", "reader"])
def test_what_arrow_reads(files, kind):
    data = {
        "table": TABLE,
        "dataset": ds.dataset(files),
        "reader": TABLE.to_reader(max_chunksize=300),
    }[kind]
    source = from_arrow(data, target="price")
    assert source.once == (kind == "reader")
    assert_array_equal(sizes_of(whole(source)), np.arange(N))


def test_memory_maps(tmp_path):
    np.save(tmp_path / "X.npy", RNG.normal(size=(N, 3)).astype(np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    y = np.arange(N)
    pieces = whole(from_arrays(X, y, np.ones(N)))
    assert_array_equal(np.concatenate([piece.X for piece in pieces]), X)
    assert not isinstance(pieces[0].X, np.memmap)
    assert_array_equal(np.concatenate([piece.y for piece in pieces]), y)


def test_batches_of_data_frames_and_of_X_alone():
    frame = TABLE.to_pandas()
    source = from_batches(
        lambda: ((frame[i : i + 70], frame["price"][i : i + 70]) for i in (0, 70))
    )
    assert [len(piece) for piece in source.pieces(50)] == [50, 20, 50, 20]
    assert_array_equal(sizes_of(source.pieces(50)), np.arange(140))
    [piece] = from_batches(lambda: [np.zeros((4, 2))]).pieces(9)
    assert piece.y is None


def test_parts_take_turns():
    read = {0: "abc", 1: "d", 2: "ef"}
    taken = list(in_turns([0, 1, 2], lambda part: iter(read[part]), 2))
    assert "".join(piece for _, piece in taken) == "adbcef"
    assert [part for part, _ in taken] == [0, 1, 0, 0, 2, 2]


@pytest.mark.parametrize("n_parts", [0, 1, 2, 7, 64, 100])
def test_the_order_of_parts_is_even_wherever_it_is_cut(n_parts):
    orders = [spread_order(n_parts, np.random.default_rng(seed)) for seed in range(200)]
    for order in orders:
        assert_array_equal(np.sort(order), np.arange(n_parts))
        for n_pieces in (2, 4, 8):  # as many are in each piece of the source, at any time
            of_piece = order[:, np.newaxis] * n_pieces // max(n_parts, 1) == np.arange(n_pieces)
            n_expected = np.arange(1, n_parts + 1)[:, np.newaxis] / n_pieces
            assert np.all(np.abs(np.cumsum(of_piece, axis=0) - n_expected) <= 2.5)
    if n_parts > 2:  # each part comes at any time
        assert len({order.tolist().index(1) for order in orders}) > n_parts / 3
        assert len({tuple(order) for order in orders}) > 5


@pytest.mark.parametrize("buffer_rows", [1, 7, 60, 103, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_buffer_mixes_and_loses_no_row(buffer_rows, weighted):
    rows = np.arange(103)
    cuts = np.split(rows, [1, 40, 41, 90])
    taken = []

    def pieces():
        for cut in cuts:
            yield Rows(cut[:, np.newaxis] * 1.0, cut[:, np.newaxis], cut if weighted else None)
            taken.append(len(cut))

    n_given = 0
    found = []
    for piece in mixed(pieces(), buffer_rows, np.random.default_rng(0)):
        n_given += len(piece.target)
        assert sum(taken) - n_given <= buffer_rows
        assert_array_equal(piece.X, piece.target)
        assert (piece.sample_weight is not None) == weighted
        if weighted:
            assert_array_equal(piece.sample_weight, piece.target[:, 0])
        found.append(piece.target[:, 0])
    assert_array_equal(np.sort(np.concatenate(found)), rows)
    same = mixed(pieces(), buffer_rows, np.random.default_rng(0))
    assert_array_equal(
        np.concatenate([piece.target[:, 0] for piece in same]), np.concatenate(found)
    )
    if buffer_rows > 7:
        assert np.abs(np.concatenate(found) - rows).mean() > 10


def test_a_buffer_of_no_rows():
    assert list(mixed([], 5, np.random.default_rng(0))) == []


def test_the_first_piece_of_a_buffer_may_be_small():
    """All its rows may be held out. What is left at the end comes in pieces like the largest."""
    pieces = [Rows(np.zeros((n, 2)), np.zeros((n, 1))) for n in (0, 1, 6)]
    sizes = [len(piece.target) for piece in mixed(pieces, 20, np.random.default_rng(0))]
    assert sizes == [6, 1]


def test_windows_of_pieces_of_any_size():
    rows = np.arange(103)
    cuts = np.split(rows, [1, 40, 41, 90])
    pieces = [Rows(cut[:, np.newaxis], cut[:, np.newaxis]) for cut in cuts]
    windows = [window.X[:, 0] for window in windows_of(pieces, 25, n_in_use=9)]
    assert [len(window) for window in windows] == [25, 25, 25, 25, 3]
    assert_array_equal(np.concatenate(windows), rows)


@pytest.mark.parametrize("n_ahead", [0, 1, 3])
def test_windows_share_memory_and_hold_what_they_should_as_long_as_they_are_used(n_ahead):
    rows = np.arange(103)[:, np.newaxis]
    places, taken = set(), []
    windows = windows_of([Rows(rows, rows)], 10, n_in_use=n_ahead + 1)
    for window in beside(windows, n_ahead):
        places.add(window.X.ctypes.data)
        time.sleep(0.01)  # the next ones are filled meanwhile
        taken.append(window.X[:, 0].copy())
    assert_array_equal(np.concatenate(taken), rows[:, 0])
    assert len(places) == n_ahead + 1


@pytest.mark.parametrize("n_ahead", [0, 1, 3])
def test_an_iterator_beside_yields_the_same_and_no_more_than_there_is_room_for(n_ahead):
    made, most = [], 0
    source = (made.append(i) or i for i in range(20))
    for taken, item in enumerate(beside(source, n_ahead)):
        assert item == taken
        most = max(most, len(made) - taken)
    assert most <= n_ahead + 1
    assert len(made) == 20


def test_a_thread_beside_ends_with_whoever_takes_from_it():
    before = threading.active_count()
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    for _ in beside(endless(), 1):
        break
    gc.collect()
    assert closed.wait(5)
    assert threading.active_count() == before


def test_ctrl_c_while_a_thread_starts_leaves_none_behind(monkeypatch):
    before = threading.active_count()

    class Interrupted(threading.Thread):
        def start(self):
            super().start()
            raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.data.beside.Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(beside((i for i in range(9)), 1))
    assert threading.active_count() == before


def test_batches_may_be_lists_as_loaders_give_them():
    [piece] = from_batches(lambda: [[np.ones((2, 2)), np.ones(2)]]).pieces(9)
    assert len(piece.y) == 2


def test_wide_rows_are_read_few_at_a_time():
    source = from_arrays(np.zeros((10, 100_000), np.uint8))
    assert source.rows_of_piece == 64
    assert from_arrays(np.zeros((10, 3))).rows_of_piece == 4096


def test_what_a_thread_beside_raises_is_raised():
    def failing():
        yield 1
        raise OSError("gone")

    items = beside(failing(), 1)
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)


@pytest.mark.parametrize("size", [7, 64, 500])
def test_a_survey_draws_the_same_rows_from_pieces_of_any_size(size, monkeypatch):
    source = from_arrow(TABLE, target="price", columns=["size"])
    whole_pieces = survey(source, Drawn(3), lambda n: 50, has_labels=False)
    monkeypatch.setattr("fastmlp.data.source.MOST_ROWS", size)
    monkeypatch.setattr("fastmlp.data.source.FEWEST_ROWS", 1)
    found = survey(source, Drawn(3), lambda n: 50, has_labels=False)
    assert found.n_rows == N
    assert len(found.sample) == 50
    assert_array_equal(found.sample.y, whole_pieces.sample.y)
    assert (np.diff(found.keys) > 0).all()
    keys = Drawn(3).of_part(0).random(N)
    assert_array_equal(found.sample.y, 2.0 * np.argsort(keys)[:50])


def test_a_survey_finds_every_label_and_leaves_out_rows_without_weight():
    labels = np.zeros(N, int)
    labels[777] = 5
    weights = np.ones(N)
    weights[:100] = 0
    labels[3] = 9
    source = from_arrays(np.arange(N, dtype=float)[:, np.newaxis], labels, weights)
    found = survey(source, Drawn(0), lambda n: 10, has_labels=True)
    assert found.n_rows == 900
    assert set(found.firsts) == {0, 5}
    assert found.firsts[5].X[0] == 777
    assert found.firsts[0].X[0] == 100
    assert found.sample.X.min() >= 100


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda d: from_parquet(d / "no.parquet"), FileNotFoundError, "no.parquet"),
        (lambda d: from_parquet(str(d / "no-*")), FileNotFoundError, r"no-\*"),
        (lambda d: from_parquet([]), FileNotFoundError, "paths: the list of files is empty"),
        (lambda d: from_parquet(str(d / "*.pq")), FileNotFoundError, r"no file matches .*\*.pq"),
        (lambda d: from_parquet(7), TypeError, "paths must be a file"),
        (lambda d: from_parquet(d, target="prize"), ValueError, "no column 'prize'.*price"),
        (lambda d: from_parquet(d, columns=["sice"]), ValueError, "columns: .*'sice'"),
        (lambda d: from_parquet(d, weight="w"), ValueError, "weight: .*'w'"),
        (lambda d: from_parquet(d, columns=[]), ValueError, "no column is left"),
        (lambda d: from_parquet(d, buffer_rows=0), ValueError, "buffer_rows must be"),
        (lambda d: from_parquet(d, n_open=1.5), TypeError, "n_open must be"),
        (lambda d: from_parquet(d, prefetch=-1), ValueError, "prefetch must be"),
        (lambda d: from_parquet(d, columns="size"), TypeError, "a list of names"),
        (lambda d: from_parquet(d, target=3), TypeError, "target must be names"),
        (lambda d: from_parquet(d, weight=3), TypeError, "weight must be"),
        (
            lambda d: from_parquet(d, target="price", columns=["size", "price"]),
            ValueError,
            "'price' is named twice",
        ),
        (lambda d: from_arrow([1]), TypeError, "a list"),
        (
            lambda d: from_arrow(TABLE.to_reader(), filter=ds.field("size") > 1),
            ValueError,
            "filter needs a dataset",
        ),
        (lambda d: from_batches([1]), TypeError, "a function that returns"),
        (lambda d: list(from_batches(lambda: 3).pieces(9)), TypeError, "it returned an int"),
        (
            lambda d: list(from_batches(lambda: [(np.ones((2, 2)), np.ones(3))]).pieces(9)),
            ValueError,
            "batch 0: X has 2 rows, but y has 3",
        ),
        (lambda d: list(from_batches(lambda: [np.ones(3)]).pieces(9)), ValueError, "two dim"),
        (
            lambda d: list(from_batches(lambda: [np.ones((3, 0))]).pieces(9)),
            ValueError,
            "no column",
        ),
        (
            lambda d: list(from_batches(lambda: [sparse.csr_array(np.eye(3))]).pieces(9)),
            TypeError,
            "batch 0: X is sparse",
        ),
        (lambda d: from_arrays([[1.0]]), TypeError, "X must be an array"),
        (lambda d: from_arrays(np.ones((2, 2)), np.ones(3)), ValueError, "y has 3"),
    ],
)
def test_wrong_arguments(files, make, error, text):
    with pytest.raises(error, match=text):
        make(files)


def test_a_file_that_is_no_parquet_file(tmp_path):
    (tmp_path / "a.parquet").write_text("size,price\n1,2\n")
    with pytest.raises(ValueError, match=r"a\.parquet"):
        from_parquet(tmp_path / "a.parquet")


def test_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="paths: there is no file in the folder"):
        from_parquet(tmp_path)


@pytest.mark.parametrize("content", [b"size,price", b""])
def test_what_is_no_parquet_file_is_named_first_or_last(files, content):
    other = files / "z.parquet"
    other.write_bytes(content)
    for paths in (other, files):
        with pytest.raises(ValueError, match=r"z\.parquet'?: this is no Parquet file, or its end"):
            whole(from_parquet(paths, target="price"))


def test_a_file_that_is_rewritten_while_it_is_read(files):
    source = from_parquet(files, target="price")
    assert source.n_parts == 6
    pq.write_table(TABLE.slice(0, 100), files / "part-1.parquet", compression=None)
    with pytest.raises(OSError, match=r"part-1\.parquet, row group 1: .*changed since it was"):
        list(source.read(4, 10))


def test_sources_say_what_they_are(files):
    assert repr(from_parquet(files, target="price", weight="weight")) == (
        "<source: 2 file(s); 2 columns of X, target ['price'], weight 'weight'>"
    )
    assert "4 columns of X" in repr(from_arrow(TABLE))
    assert "read once" in repr(from_arrow(TABLE.to_reader()))
    assert repr(from_arrays(np.ones((3, 2)))) == "<source: arrays of 3 rows; 2 columns of X>"
    assert "sources_say_what" in repr(from_batches(lambda: []))


def test_a_file_that_vanishes_and_one_that_is_cut_off(files):
    source = from_parquet(files, target="price")
    assert source.n_parts == 6
    (files / "part-0.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"part-0\.parquet, row group 0"):
        next(source.read(0, 10))
    other = files / "part-1.parquet"
    other.write_bytes(other.read_bytes()[:900])
    with pytest.raises((OSError, ValueError), match=r"part-1\.parquet, row group 1"):
        next(source.read(4, 10))


def test_a_part_that_lacks_a_column_or_has_another_order(files):
    swapped = TABLE.select(["price", "weight", "colour", "size"])
    pq.write_table(swapped.slice(0, 100), files / "part-2.parquet")
    source = from_parquet(files, target="price", columns=["size", "colour"])
    [piece] = source.read(6, 100)
    assert piece.X.column_names == ["size", "colour"]
    assert_array_equal(piece.y, 2.0 * np.arange(100))
    pq.write_table(TABLE.drop(["size"]).slice(0, 100), files / "part-3.parquet")
    with pytest.raises(ValueError, match=r"part-3\.parquet: .*'size', which other"):
        list(from_parquet(files, target="price").pieces(100))


def test_a_part_whose_column_is_of_another_type(files):
    texts = pa.array([f"{i} m" for i in range(100)])
    other = TABLE.slice(0, 100).set_column(0, "size", texts)
    pq.write_table(other, files / "part-4.parquet")
    with pytest.raises(ValueError, match=r"part-4\.parquet: column 'size' .*string.*double"):
        list(from_parquet(files, target="price").pieces(100))
    assert len(whole(from_parquet(files, target="price", columns=["weight"]))[0]) == 64


def test_numbers_of_several_types_are_read_as_one_that_holds_all(files):
    wide = TABLE.slice(0, 100).set_column(0, "size", pa.array(np.arange(100)))
    pq.write_table(wide, files / "a-first.parquet")
    empty = TABLE.slice(0, 3).set_column(0, "size", pa.nulls(3))
    pq.write_table(empty, files / "part-5.parquet")
    pieces = whole(from_parquet(files, target="price"))
    assert {str(piece.X.schema.field("size").type) for piece in pieces} == {"double"}
    assert_array_equal(sizes_of(pieces[:2]), np.arange(100))


def test_a_part_with_one_more_column(files):
    more = TABLE.slice(0, 100).append_column("age", pa.array(np.ones(100)))
    pq.write_table(more, files / "part-2.parquet")
    with pytest.raises(ValueError, match=r"part-2\.parquet: .*'age', which the first file lacks"):
        whole(from_parquet(files, target="price"))
    source = from_parquet(files, target="price", columns=["size", "colour"])
    assert whole(source)[-1].X.column_names == ["size", "colour"]


def test_filters_may_ask_for_columns_that_are_not_read(files):
    for keep in (ds.field("weight") > 1, pc.field(3) > 1):
        pieces = whole(from_parquet(files, columns=["size"], filter=keep))
        assert pieces[0].X.column_names == ["size"]
        assert_array_equal(sizes_of(pieces), np.flatnonzero(TABLE["weight"].to_numpy() > 1))


def test_row_groups_without_any_wanted_row_are_not_read(files):
    source = from_parquet(files, target="price", filter=ds.field("size") >= 800)
    assert source.n_parts == 2
    assert_array_equal(sizes_of(whole(source)), np.arange(800, N))


def test_columns_that_folders_name(tmp_path):
    ds.write_dataset(
        TABLE, tmp_path, format="parquet", partitioning=["colour"], partitioning_flavor="hive"
    )
    source = from_arrow(ds.dataset(tmp_path, partitioning="hive"), target="price")
    pieces = whole(source, 500)
    for piece in pieces:
        (colour,) = set(piece.X["colour"].to_pylist())
        assert colour in piece.place
        of_rows = TABLE["colour"].take(piece.X["size"].cast(pa.int64())).to_pylist()
        assert set(of_rows) == {colour}


def test_new_categories_in_later_parts(files):
    later = pa.array(["blue"] * 100).dictionary_encode()
    pq.write_table(TABLE.slice(0, 100).set_column(1, "colour", later), files / "part-2.parquet")
    labels = [piece.y for piece in whole(from_parquet(files, target="colour"))]
    assert set(np.concatenate(labels)) == {"red", "green", "blue"}
    pieces = whole(from_parquet(files))
    assert {type(piece.X.schema.field("colour").type) for piece in pieces} == {pa.DictionaryType}


def test_a_filtered_dataset_is_not_read_as_if_it_were_whole(files):
    with pytest.raises(ValueError, match="data: the dataset has been filtered"):
        whole(from_arrow(ds.dataset(files).filter(ds.field("size") > 1)))


def test_a_flipped_bit_is_found_where_the_file_has_checksums(tmp_path):
    path = tmp_path / "a.parquet"
    table = TABLE.select(["size", "price"])
    pq.write_table(table, path, use_dictionary=False, compression=None, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"a\.parquet, row group 0: .*checksum"):
        whole(from_parquet(path))


def test_no_whole_row_group_is_in_memory(tmp_path):
    columns = {f"x{i}": RNG.normal(size=200_000) for i in range(10)}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", use_dictionary=False)
    del columns
    before = pa.total_allocated_bytes()
    pieces = from_parquet(tmp_path / "a.parquet").read(0, 1000)
    most = max(pa.total_allocated_bytes() - before for _ in zip(pieces, range(50), strict=False))
    # The row group takes 16 MB, the pages that are read just now 10 * 20,000 * 8 bytes. Before
    # version 23, Arrow held seven times as much.
    assert most < (6e6 if int(pa.__version__.split(".")[0]) >= 23 else 12e6)


def test_a_survey_of_many_pieces_holds_little_more_than_the_rows_that_it_draws():
    table = pa.table({f"x{i}": RNG.normal(size=64) for i in range(50)})
    before, most = pa.total_allocated_bytes(), [0]

    def pieces():
        for _ in range(2000):
            yield Piece(table, np.zeros(64), None, "")
            most[0] = max(most[0], pa.total_allocated_bytes() - before)

    found = survey_of_part(pieces(), np.random.default_rng(0), lambda _: 500, has_labels=False)
    # Of the last pieces less than one row is kept, in 64 bytes a column as Arrow has it.
    assert most[0] < 2 * found.sample.X.nbytes


def test_targets_that_are_missing(files):
    prices = [*TABLE["price"].to_pylist()[:-1], None]
    table = TABLE.set_column(2, "price", pa.array(prices))
    with pytest.raises(ValueError, match="column 'price' lacks 1 value"):
        list(from_arrow(table, target="price").pieces(100))


def test_two_columns_of_one_name():
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["a", "a"])
    with pytest.raises(ValueError, match="two columns named 'a'"):
        from_arrow(twice)


def test_pandas_frames_are_not_arrow():
    with pytest.raises(TypeError, match="a DataFrame"):
        from_arrow(pd.DataFrame({"a": [1]}))
