"""FHIR R4 as plain functions: rows to resources, resources to values, search parameters to rows. No web framework here."""
