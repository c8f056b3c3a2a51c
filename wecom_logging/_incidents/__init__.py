"""Incidents: all alerts that are the same, over time. Values and pure rules; nothing here stores, waits or sends."""
