"""The journey of a record, from the logging call to the books."""
