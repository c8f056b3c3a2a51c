"""One module for each framework: it feeds a handler and adds what the framework knows. None is imported by itself."""
