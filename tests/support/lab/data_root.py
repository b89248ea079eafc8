"""Directories for the private engine's data, kept between labs so that images are imported once."""

import fcntl
import os
import shutil


class DataRoot:
    """The first free directory of the pool, locked while the descriptor `lock` (inherited by the machine) is open.

    One that was not left clean is emptied: containers in it could start by themselves.
    """

    def __init__(self, pool: str) -> None:
        os.makedirs(pool, exist_ok=True)
        number = 0
        while True:
            self.path = os.path.join(pool, f"data-{number}")
            self.lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(self.lock)
                number += 1
        if os.path.exists(clean_mark(self.path)):
            os.unlink(clean_mark(self.path))
        else:
            shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path, exist_ok=True)

    def release(self) -> None:
        """Gives up the descriptor; the machine's copy keeps the lock."""
        os.close(self.lock)


def clean_mark(path: str) -> str:
    return f"{path}.clean"


def mark_clean(path: str) -> None:
    """After an orderly end of the engine: keeps the images only. A container left in it means: not clean.

    Networks and volumes go without the engine's help, as a request of a killed client may have made one at the end.
    """
    for directory in ("network", "volumes"):
        shutil.rmtree(os.path.join(path, directory), ignore_errors=True)
    if not os.listdir(os.path.join(path, "containers")):
        with open(clean_mark(path), "w", encoding="ascii"):
            pass
