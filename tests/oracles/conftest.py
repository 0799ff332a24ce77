"""Of this room pytest reads the tests alone: what they import has no examples, and needs what may not be installed."""

from pathlib import Path

collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")]
