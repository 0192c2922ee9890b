"""Tests of the endpoint in the form of OpenAI's API."""
