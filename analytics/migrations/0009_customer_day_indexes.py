"""Indexes by which a verification of buyers and cohorts reads a month of customers' days, and not all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0008_fill_daily_tables'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='customerday',
            index=models.Index(fields=['day'], name='customer_days_day'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['first_day'], name='customers_first_day'),
        ),
    ]
