"""What runs when: the schedule, the work it asks for, and the engine that loses none of it."""
