"""What the report of an experiment holds: figures and tables, declared in the files that make them."""

from trakway.report.contents import check_files, checks, report_files
from trakway.report.figures import Figure, declared_figures
from trakway.report.reads import files
from trakway.report.tables import Table, declared_tables

__all__ = ["Figure", "Table", "check_files", "checks", "declared_figures", "declared_tables", "files", "report_files"]
