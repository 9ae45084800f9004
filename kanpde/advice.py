"""What to say when YAML cannot be read: the parser's words, and ours."""

from __future__ import annotations

from typing import Mapping

BRACKET_IN_FLOW = (
    "inside { } and [ ], a '[' or ',' ends the text before it; put the whole text in quotes, "
    "or give each entry a line of its own in place of { }"
)
EXPECTED: Mapping[str, str] = {  # an entry of each section of entries
    "domain": "x: [0, 1]",
    "equations": "name: left = right",
    "definitions": "name: expression",
    "parameters": "nu: [0.1, 1]",
    "fit": "name: {start: 1}",
    "constraints": "name: left = right",
    "data": "name: {file: readings.csv}",
    "initial": "u: expression",
    "boundary": "left: u = 0",
    "exact": "u: expression",
}
ADVICE: Mapping[str, str] = {
    "mapping values are not allowed here": "a second ': ' on one line; put the text after the first one in quotes, "
    "or start a new, indented line",
    "'\\t' that cannot start any token": "a tab cannot indent; use spaces",
    "'`' that cannot start any token": "a value cannot start with '`'; put it in quotes",
    "'@' that cannot start any token": "a value cannot start with '@'; put it in quotes",
    "'%' that cannot start any token": "a value cannot start with '%'; put it in quotes",
    "sequence entries are not allowed here": "a value that starts with '- ' is read as a list; "
    "write the minus sign without a space after it, or put the value in quotes",
    "could not find expected ':'": "not a 'name: value' entry; is a colon, or the indentation, missing?",
    "expected <block end>, but found '<block mapping start>'": "the indentation does not match the lines above",
    "expected <block end>": "the line cannot continue here; put the whole value in quotes, or correct the indentation",
    "expected ',' or '}'": "a '}' or ',' is missing here, or the '{' above is never closed",
    "expected ',' or ']'": "a ']' or ',' is missing here, or the '[' above is never closed",
    "expected chomping or indentation": "a value cannot start with '|' or '>'; put it in quotes",
    "unexpected end of stream": "this quoted text is never closed",
    "expected alphabetic or numeric character": "a value cannot start with '*' or '&'; put it in quotes",
}
