"""Credentials of the roles that are tested."""

import json

import boto3

from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.conftest import Stack


def session_of(stack: Stack, role: str) -> boto3.Session:
    """Take on a role, whose trust is opened for that, on the emulator only, and closed again."""
    iam, sts = stack.aws("iam"), stack.aws("sts")
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
