"""What goes on right now, sent to browsers: news as server-sent events, sound by websockets."""
