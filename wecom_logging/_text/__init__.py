"""Text that fits and cannot act: cut by bytes, inert signs, two languages. Knows no alert and no rule."""
