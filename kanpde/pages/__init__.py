"""Pages that stand alone: one HTML file each, with its pictures, numbers and programs in it."""
