# Each result is sent as an event to this bus; receivers are rules on it.
locals {
  _event_bus_name = "serverless-uploads-${var.suffix}"
  # This name, or none.
  _event_buses       = var.events_enabled ? toset([local._event_bus_name]) : toset([])
  _events_arn_prefix = "arn:${data.aws_partition.current.partition}:events:${data.aws_region.current.id}:${local._account}:"
}

resource "aws_cloudwatch_event_bus" "results" {
  for_each = local._event_buses

  name        = each.key
  description = "Results of the uploads of ${var.suffix}"
  tags        = local.tags
}
