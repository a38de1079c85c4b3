from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from watchbook.errors import SettingsError, StoreError
from watchbook.seal import KEY_FILE, Sealer, fingerprint, load_sealer

OLD, NEW = "the old key, which is long enough", "the new key, which is long enough"
SECRET = "a refresh token: ✓"
PLACE = "grant:3:access"


def test_what_is_sealed_opens_at_its_place() -> None:
    """A secret comes back with the same key at the same place, and shows nothing meanwhile."""
    sealed = Sealer([OLD]).seal(SECRET, PLACE)
    assert Sealer([OLD]).open(sealed, PLACE) == SECRET
    assert "refresh" not in sealed
    assert sealed != Sealer([OLD]).seal(SECRET, PLACE), "the same secret never looks the same"


@pytest.mark.parametrize("secret", ["", "x", "ü" * 10_000, "\0"])
def test_any_text_can_be_sealed(secret: str) -> None:
    """Empty, long and odd texts come back whole."""
    sealer = Sealer([OLD])
    assert sealer.open(sealer.seal(secret, PLACE), PLACE) == secret


def test_rotation() -> None:
    """The first key seals, and what an older one sealed still opens."""
    before = Sealer([OLD]).seal(SECRET, PLACE)
    both = Sealer([NEW, OLD])
    assert both.open(before, PLACE) == SECRET
    assert Sealer([NEW]).open(both.seal(SECRET, PLACE), PLACE) == SECRET
    assert both.key_name == fingerprint(NEW)
    assert both.key_names == {fingerprint(NEW), fingerprint(OLD)}


def test_fingerprint_tells_nothing() -> None:
    """A fingerprint is short, always the same, and not a plain hash of the secret."""
    assert fingerprint(SECRET) == fingerprint(SECRET) != fingerprint(SECRET + "!")
    assert len(fingerprint(SECRET)) == 16


def damaged(sealed: str) -> dict[str, str]:
    """Sealed texts that must not open."""
    _, name, body = sealed.split(":")
    return {
        "empty": "",
        "no parts": "abc",
        "too many parts": f"{sealed}:x",
        "another version": f"2:{name}:{body}",
        "unknown key": f"1:{'0' * 16}:{body}",
        "cut": sealed[:-5],
        "no body": f"1:{name}:",
        "no base64": f"1:{name}:é!",
        "only a nonce": f"1:{name}:{body[:16]}",
        "another letter": sealed[:-3] + ("A" if sealed[-3] != "A" else "B") + sealed[-2:],
    }


@pytest.mark.parametrize("name", damaged(Sealer([OLD]).seal(SECRET, PLACE)))
def test_damaged_seal(name: str) -> None:
    """What is not exactly what was sealed does not open, and says what to do."""
    sealer = Sealer([OLD])
    with pytest.raises(SettingsError, match="cannot be opened") as caught:
        sealer.open(damaged(sealer.seal(SECRET, PLACE))[name], PLACE)
    assert "secret.key" in str(caught.value.hint)
    assert SECRET not in str(caught.value)


def test_other_place_and_other_key() -> None:
    """A sealed text copied to another row, or met with another key, stays shut."""
    sealed = Sealer([OLD]).seal(SECRET, PLACE)
    for sealer, place in ((Sealer([OLD]), "grant:4:access"), (Sealer([NEW]), PLACE)):
        with pytest.raises(SettingsError):
            sealer.open(sealed, place)


def test_key_file_is_made_once(tmp_path: Path) -> None:
    """The first start makes a private key file; every later one uses it, also side by side."""
    home = tmp_path / "a" / "home"
    before = os.umask(0)
    try:
        with ThreadPoolExecutor(4) as executor:
            names = {s.key_name for s in executor.map(lambda _: load_sealer(home, None), range(8))}
    finally:
        os.umask(before)
    assert len(names) == 1
    assert load_sealer(home, None).key_name in names
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [path.name for path in home.iterdir()] == [KEY_FILE]


def test_keys_of_a_setting_need_no_file(tmp_path: Path) -> None:
    """With keys set, no file is made or read."""
    assert load_sealer(tmp_path, [NEW, OLD]).key_name == fingerprint(NEW)
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize(("content", "words"), [(b" \n", "is empty"), (b"\xff\xfe", "is not text")])
def test_key_file_of_nonsense(tmp_path: Path, content: bytes, words: str) -> None:
    """A key file that holds no key is named, and never written over."""
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        load_sealer(tmp_path, None)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A key file that cannot be read is an error of our tree."""
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(StoreError, match=r"secret\.key"):
        load_sealer(tmp_path, None)
