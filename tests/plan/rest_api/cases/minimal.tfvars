# Only what must be given: the name and one route (common.tfvars).
