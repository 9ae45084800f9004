"""Facts as JSON, an object on each line."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

import numpy as np
from rich.console import Console


def print_json(console: Console, content: Mapping[str, Any]) -> None:
    """One JSON object on one line, whatever the width of the terminal."""
    console.file.write(json.dumps(strict(content), ensure_ascii=False) + "\n")
    console.file.flush()


def strict(value: Any) -> Any:
    """`value` in what JSON knows: NaN and infinity become null, arrays lists, the rest text."""
    if isinstance(value, Mapping):
        return {str(key): strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [strict(entry) for entry in value]
    if isinstance(value, np.generic):
        return strict(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (int, str, bool, type(None))) else str(value)
