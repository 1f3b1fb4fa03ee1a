"""Reading llamafarm.yaml: leniently, and saying precisely what is wrong where."""

from llamafarm.config.mask import masked_text
from llamafarm.config.project import load, parse
from llamafarm.config.read import read_text
from llamafarm.config.report import report
from llamafarm.config.samples import sample_names, sample_path
from llamafarm.config.trust import addresses

__all__ = ["addresses", "load", "masked_text", "parse", "read_text", "report", "sample_names", "sample_path"]
