"""One module for each library; importing it imports the library."""
