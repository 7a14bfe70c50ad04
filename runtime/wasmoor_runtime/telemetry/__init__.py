"""What a process says about itself: log lines (`logs`), metrics (`metrics`) and the admin pages (`admin`).

It hears the host's events and is handed functions to ask; it changes nothing. Built by `serving`.
"""
