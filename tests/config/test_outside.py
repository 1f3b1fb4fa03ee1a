"""Which addresses are of the internet at large, however they are written."""

from __future__ import annotations

import pytest

from llamafarm.config.outside import is_outside, names_inside

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "::127.0.0.1",
    "::7f00:1",
    "2001:db8::1",
    "fec0::1",
    "nonsense",
]
OUTSIDE = [
    "8.8.8.8",
    "1.1.1.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "172.32.0.1",
    "100.128.0.1",
]
WRITTEN = [
    "http://127.0.0.1",
    "http://127.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://017700000001",
    "http://0",
    "http://0.0.0.0:80",
    "http://[::1]",
    "http://[::ffff:127.0.0.1]:11434",
    "http://[0:0:0:0:0:0:0:1]",
    "http://localhost",
    "http://LOCALHOST.",
    "http://a.localhost",
    "http://printer.local",
    "http://metadata.google.internal",
    "http://169.254.169.254/latest",
    "http://2852039166",
    "http://[fe80::1%25eth0]",
    "http://user:x@127.0.0.1",
    "http://10.1",
    "http://[fd00:ec2::254]",
    "http://",
    "http://[bad",
]


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize("url", WRITTEN)
def test_as_it_is_written(url: str) -> None:
    assert names_inside(url)


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://8.8.8.8", "http://134744072", "http://[2606:4700::1]:8080"]
)
def test_other_names_must_be_looked_up(url: str) -> None:
    assert not names_inside(url)
