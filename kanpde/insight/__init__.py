"""Formulas for trained solutions: found on samples, refined on the equations, and proved by substitution."""
