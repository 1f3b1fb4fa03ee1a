"""What would stop all lanes for a while is done before they run."""

from __future__ import annotations

import subprocess
import sys

TABLE = "genai_prices.data"
PREPARES = f"""
import sys
from llamafarm.pricing import PriceBook
from tests.engine.fakes import model

book = PriceBook()
book.prepare([model("free", provider="ollama"), model("priced", pricing={{"input": 1, "output": 1}})])
assert "{TABLE}" not in sys.modules
book.prepare([model("free", provider="ollama"), model("paid", base_url="https://api.openai.com/v1")])
assert "{TABLE}" in sys.modules
"""

SETTLES = """
import gc
import sys
from llamafarm.runtime import settle

threshold, interval = gc.get_threshold(), sys.getswitchinterval()
settle()
assert gc.get_freeze_count() > 10_000
assert gc.get_threshold()[0] > threshold[0]
assert sys.getswitchinterval() < interval
"""


def test_the_price_table_is_read_before_the_lanes_run_and_only_where_it_is_needed() -> None:
    subprocess.run([sys.executable, "-c", PREPARES], check=True, timeout=60)


def test_a_settled_process_collects_less_and_less_often() -> None:
    subprocess.run([sys.executable, "-c", SETTLES], check=True, timeout=60)
