"""The job that writes down what is said in recordings."""
