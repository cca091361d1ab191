"""What reads a patient's sentence. `embedding`, `intents` and `asked` know nothing of Rasa; `graph` puts them into its pipeline."""
