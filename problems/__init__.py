"""The gallery: problem files that come with kanpde."""
