//! What the user says by environment variables.
