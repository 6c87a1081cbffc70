"""`nyala ...`: the command line.  Parses, calls a service, prints; bad input is one clear line and exit code 2."""
