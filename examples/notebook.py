"""A notebook's long cells, in plain IPython. Run: pip install ipython; WECOM_… python examples/notebook.py"""

from IPython.core.interactiveshell import InteractiveShell

from wecom_logging import WeComHandler

handler = WeComHandler(service="notebook")
shell = InteractiveShell.instance()  # in Jupyter it is there

shell.run_cell("%load_ext wecom_logging.integrations.jupyter")
shell.run_cell("%%wecom training of the second model\nloss = sum(1 / n for n in range(1, 1000))")
shell.run_cell("%%wecom\nloss / 0")
