"""Raw tables: what their columns are, and how numbers and codes are made of them."""

from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.reader import TableReader
from fastmlp.tables.report import ColumnReport, ColumnTable

__all__ = ["ColumnReport", "ColumnTable", "EncodedTable", "TableReader"]
