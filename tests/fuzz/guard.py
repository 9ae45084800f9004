"""What no input may bring about: a foreign error, a process, a connection, files elsewhere, code, much memory."""

from __future__ import annotations

import resource
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from kanpde.errors import KanpdeError

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 2**30  # bytes that a case may take at most
FORBIDDEN = {
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "pickle.find_class", "ctypes.dlopen", "webbrowser.open"),
    *("os.rename", "os.symlink", "os.link", "os.chmod"),
}
OWN = str(Path(tempfile.gettempdir()) / "kanpde-")  # where a result's files are laid out
READABLE = tuple(str(Path(root).resolve()) for root in (sys.prefix, sys.base_prefix, ROOT / "kanpde"))
READABLE = (*READABLE, "/proc/self/statm")


@dataclass
class Guard:
    """Looks at what the interpreter is asked to do during a case."""

    folder: Path
    active: bool = False
    broken: list[str] = field(default_factory=list)

    def install(self) -> Guard:
        """Listen to the interpreter from now on; it cannot be undone."""
        sys.addaudithook(self.heard)
        return self

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what is forbidden."""
        if not self.active:
            return
        if event in FORBIDDEN:
            self.broken.append(f"{event}{arguments!r:.200}")
        elif event == "exec" and getattr(arguments[0], "co_filename", "").startswith("<string") and not importing():
            self.broken.append(f"exec of {arguments[0]!r}")
        elif event == "open" and isinstance(arguments[0], (str, bytes, Path)):
            self.opened(str(arguments[0]), str(arguments[1]))

    def opened(self, name: str, mode: str) -> None:
        """Note a file outside the folder of the case, or one that is written."""
        path = str(Path(name).absolute())
        inside = path.startswith((str(self.folder), OWN)) or mode == "None"  # a folder is opened by its descriptor
        if not inside and (not path.startswith(READABLE) or set(mode) & set("wax+")):
            self.broken.append(f"open({name!r}, {mode!r})")

    def trouble(self, work: Callable[[], object]) -> str:
        """What is wrong with how the work went, '' if it was done, or refused in the program's own words."""
        self.broken.clear()
        before, said = peak(), ""
        self.active = True
        try:
            work()
        except KanpdeError as error:
            self.active = False
            said = "".join(traceback.format_exception(error)) if short_of_memory(error) else ""
        except Exception as error:
            self.active = False
            said = "".join(traceback.format_exception(error))
        finally:
            self.active = False
        if peak() - before > MEMORY:
            said += f"\n{(peak() - before) / 2**30:.2f} GiB taken"
        return "\n".join(filter(None, [said, *self.broken]))


def importing() -> bool:
    """Whether a module of a package is being loaded, which makes its classes from text."""
    frame = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


def peak() -> int:
    """The most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def short_of_memory(error: BaseException | None) -> bool:
    """Whether a refusal was brought about by memory that could not be had."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def limited(spare: int = 2 * MEMORY) -> None:
    """From here on, this process gets so many bytes at most beyond what it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + spare
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
