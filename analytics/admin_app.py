"""Django's admin with this project's site (`site.py`); settings install it in place of `django.contrib.admin`."""

from django.contrib.admin.apps import AdminConfig


class DashboardAdminConfig(AdminConfig):
    """The admin whose home is the dashboard."""

    default_site = "analytics.site.DashboardSite"
