locals {
  # Every path that needs a resource, the prefixes of the routes' paths, without slashes at its ends:
  #   "files/{key+}" => { depth = 2, parent = "files", part = "{key+}" }
  _paths = { for name, route in var.routes : name => trim(route.path, "/") }
  _prefixes = {
    for path in distinct(flatten([
      for path in values(local._paths) : [
        for end in range(1, length(split("/", path)) + 1) : join("/", slice(split("/", path), 0, end))
      ] if path != ""
    ])) :
    path => {
      depth  = length(split("/", path))
      parent = join("/", slice(split("/", path), 0, length(split("/", path)) - 1))
      part   = reverse(split("/", path))[0]
    }
  }

  # The methods of ANY, and OPTIONS, which browsers send by themselves.
  _methods_but_options = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]

  # The methods of each path that has routes.
  _methods = {
    for path in toset(values(local._paths)) :
    path => sort([for name, route in var.routes : route.method if local._paths[name] == path])
  }

  # A resource cannot refer to another instance of itself, so each depth has its own.
  _levels = {
    for depth in range(1, 5) :
    depth => { for path, prefix in local._prefixes : path => prefix if prefix.depth == depth }
  }

  # ID of the resource of each path; "" is the root.
  resource_ids = merge(
    { "" = aws_api_gateway_rest_api.this.root_resource_id },
    { for path, resource in aws_api_gateway_resource.level_1 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.level_2 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.level_3 : path => resource.id },
    { for path, resource in aws_api_gateway_resource.level_4 : path => resource.id },
  )

  # The routes with what follows from their arguments.
  routes = {
    for name, route in var.routes : name => merge(route, {
      path = local._paths[name]
      # As ARNs name requests: "GET/files/*", with any value in the place of a parameter; "GET/" for the root.
      request_path  = "${route.method == "ANY" ? "*" : route.method}/${replace(local._paths[name], "/{[^}]+}/", "*")}"
      authorization = contains(["NONE", "AWS_IAM"], route.authorization) ? route.authorization : length(var.authorizers[route.authorization].user_pool_arns) > 0 ? "COGNITO_USER_POOLS" : "CUSTOM"
      authorizer    = contains(["NONE", "AWS_IAM"], route.authorization) ? null : route.authorization
      # API Gateway matches parameters of the path whether they are listed or not; the list makes them mappable.
      request_parameters = { for parameter in regexall("{([^}+]+)\\+?}", route.path) : "method.request.path.${parameter[0]}" => true }
      # Model names are letters and digits; names of routes are such that no two give the same.
      model = route.schema == null ? null : join("", [for word in split("_", name) : title(word)])
    })
  }

  # Only what the stage serves: neither tags nor limits nor logs are part of a deployment.
  served = {
    routes            = local.routes
    authorizers       = var.authorizers
    preflight         = local.preflight
    not_allowed       = local.not_allowed
    gateway_responses = local.gateway_responses
    allowed_cidrs     = var.allowed_cidrs
    open_requests     = local._open_requests
    # Takes effect with the next deployment alone.
    execute_api_disabled = var.custom_domain != null
  }

  url = var.custom_domain == null ? trimsuffix(aws_api_gateway_stage.this.invoke_url, "/") : trimsuffix("https://${var.custom_domain.name}/${var.custom_domain.base_path}", "/")
}
