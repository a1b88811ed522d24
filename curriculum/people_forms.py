"""What people may say about people: members, invitations, accounts of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User

from curriculum.states import Role

NO_ROLE = {"required": "Choose a role.", "invalid_choice": "Choose one of the roles."}


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(
        choices=Role.choices,
        coerce=lambda said: Role(int(said)),
        label="Role",
        initial=Role.REVIEWER,
        error_messages=NO_ROLE,
    )


class MemberForm(RoleForm):
    """Somebody with an account. By name, as nobody is shown a list of all accounts."""

    user = forms.CharField(
        max_length=150,
        label="Name they sign in with",
        error_messages={"required": "Say the name that they sign in with."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ["user", "role"]

    def clean_user(self) -> User:
        name = self.cleaned_data["user"]
        found = User.objects.filter(username=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError(
                f"Nobody here signs in as “{name}”. Invite them by e-mail instead."
            )
        return found


class SeenRoleForm(RoleForm):
    """Another role, for a member who was seen with `seen`."""

    seen = forms.TypedChoiceField(
        choices=Role.choices, coerce=lambda said: Role(int(said)), widget=forms.HiddenInput
    )


class InvitationForm(RoleForm):
    email = forms.EmailField(
        max_length=254,
        label="E-mail address",
        error_messages={
            "required": "Say to which address the invitation goes.",
            "invalid": "This is no e-mail address.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["email", "role"]


class ClosedForm(forms.Form):
    closed = forms.TypedChoiceField(
        choices=[("1", "closed"), ("0", "open")],
        coerce=lambda said: said == "1",
        error_messages={"required": "Say whether the run is closed or opened."},
    )


class AccountForm(BaseUserCreationForm):
    """An account for who was invited: a name, and a password by the rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name to sign in with"
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["password2"].help_text = ""
