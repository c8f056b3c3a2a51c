"""``python -m wecom_logging._cli``, for where scripts are not on the path."""

import sys

from . import main

sys.exit(main())
