"""The policies and roles that let others work for a project: one of each for each purpose."""

from collections.abc import Collection, Iterator

from bootstrap.model.project import Project
from bootstrap.provisioning.aws import iam
from bootstrap.provisioning.aws.provider import PATH, Aws
from bootstrap.provisioning.interface import Resource
from bootstrap.vendors import policies


def resources(project: Project, aws: Aws, vendors: Collection[str]) -> Iterator[Resource]:
    """Everything that one of `vendors` needs; roles only where the manifest says who may assume them."""
    for purpose in policies.purposes(project):
        needing = policies.vendors_of(project, purpose)
        if needing.isdisjoint(vendors):
            continue
        name, document = policies.name(project, purpose), policies.policy(project, purpose)
        policy = iam.Policy(aws, PATH, name, needing, document)
        yield policy
        if project.provision.principal is not None:
            yield iam.Role(aws, PATH, policy, policies.trust(project.provision.principal))
