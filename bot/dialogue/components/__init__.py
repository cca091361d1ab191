"""What reads a patient's sentence. `words`, `embedding`, `intents` and `asked` know nothing of Rasa; `graph`
puts them into its pipeline."""
