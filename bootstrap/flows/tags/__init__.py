"""What each verb about milestones means, without a terminal."""
