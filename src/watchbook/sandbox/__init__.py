"""Stand-ins for the services that Watchbook talks to: real HTTP servers on loopback.

They know nothing of the rest of Watchbook, and carry their own shapes, so that a mistake
in the client cannot hide behind the same mistake here.
"""
