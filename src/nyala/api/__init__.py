"""HTTP: routes, authentication, permissions, problems, live events.  Knows the services; no rule of the business lives here."""
