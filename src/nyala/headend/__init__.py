"""The head-end: the meters as the centre sees them.  Uplinks become readings, states and events; commands are followed."""
