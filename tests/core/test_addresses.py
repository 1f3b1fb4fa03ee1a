"""Which addresses are this machine, and which are of one's own network."""

from __future__ import annotations

import pytest

from llamafarm.config.outside import names_inside
from llamafarm.core.addresses import LOCAL_NAMES, LOOPBACK, is_address, is_local_name, is_loopback, on_own_network


@pytest.mark.parametrize("host", [*LOOPBACK, "[::1]", "127.0.0.2", "127.255.255.254"])
def test_this_machine_however_it_is_written(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1", "::2", "0.0.0.0"])  # noqa: S104 - is no loopback
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("name", LOCAL_NAMES)
def test_a_name_of_one_s_own_network_is_so_for_prices_patience_and_trust_alike(name: str) -> None:
    for host in (name, f"box.{name}", f"a.b.{name}"):
        assert is_local_name(host)
        assert on_own_network(f"http://{host}:8000/v1")
        assert names_inside(f"http://{host}:8000/v1")


@pytest.mark.parametrize("host", ["notlocal", "lan.example.org", "mylan", "arpa", "in-addr.arpa", "internal.com"])
def test_a_name_that_only_looks_like_one(host: str) -> None:
    assert not is_local_name(host)
    assert not names_inside(f"http://{host}/v1")


@pytest.mark.parametrize("text", ["http://", "http://h:0/", "http://h:99999/", "http://[::1/", "h:80"])
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
