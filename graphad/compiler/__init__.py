"""The compiler: from a declared graph to a function that is called."""
