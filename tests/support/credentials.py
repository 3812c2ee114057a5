"""Credentials of the roles that are tested."""

import json

import boto3

from scripts.local_cloud import ACCOUNT_ID, REGION, Cloud
from tests.support import root_user


def session_of(cloud: Cloud, role: str) -> boto3.Session:
    """Take on a role, whose trust is opened for that, on the emulator only, and closed again."""
    iam, sts = (root_user.client(cloud, service) for service in ("iam", "sts"))
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    arn = f"arn:aws:iam::{ACCOUNT_ID}:role/{role}"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    return boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
    )


def variables_of(session: boto3.Session) -> dict[str, str]:
    """Return the environment variables that give a program the credentials of a session."""
    keys = session.get_credentials()
    assert keys
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token or "",
    }
