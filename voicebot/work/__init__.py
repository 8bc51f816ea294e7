"""What a dialog has others do in mid-call: web services, hooks, a language model. No call is known here."""
