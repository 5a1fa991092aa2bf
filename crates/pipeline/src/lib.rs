//! The jobs that run: import, ingest, and the results of windows.
