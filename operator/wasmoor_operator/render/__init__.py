"""From a component and its contract to manifests: plain dictionaries, the same for the same input. Pure.

Called by `decide`. Only fields that are the operator's are rendered, so that server-side apply leaves to others what is
theirs: the number of pods under an autoscaler, `kubectl rollout restart`, a load balancer's annotations.
"""
